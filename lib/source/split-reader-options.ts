/** What a SplitReader is made of. */
import type { DecoderOptions, FileInputFormat, InputFormat } from '../core/decoder.ts';
import type { BadRecordPolicy, Compression, SchemaDriftSpec } from '../core/specs.ts';
import type { StageClock } from '../core/stage-clock.ts';
import type { FileSystem } from '../storage/file-system.ts';
import type { FilesAhead } from './files-ahead.ts';
import type { ModifiedPolicy } from './modification.ts';
import type { Warnings } from './warnings.ts';

/** Of the decoder's options: batches that carry their lines are cut where the buffer is filled anew. */
type DecodingOptions = Pick<DecoderOptions, 'schema' | 'batchRows' | 'keepLines' | 'columns'>;

export interface SplitReaderOptions extends DecodingOptions {
  readonly fileSystem: FileSystem;
  readonly format: InputFormat | FileInputFormat;
  readonly compression: 'auto' | Compression;
  /** A record, with its line end, may be this long. */
  readonly maxRecordBytes: number;
  readonly onBadRecord: BadRecordPolicy;
  /** Data that the schema does not hold; passed over or a bad record where left out. */
  readonly drift?: SchemaDriftSpec;
  readonly modified: ModifiedPolicy;
  /** Whether `places` has to tell where rows come from; `lines` numbers their lines as well. */
  readonly places?: { readonly lines: boolean } | null;
  /** Bytes read at a time; 1 MiB where left out. */
  readonly chunkBytes?: number;
  readonly stages?: StageClock;
  /** Told of what is left out; nobody is where there are none. */
  readonly warnings?: Warnings | null;
  /** Small files that were read already. */
  readonly ahead?: FilesAhead | null;
}
