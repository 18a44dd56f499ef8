/** Avro object container files as an input format. Each says its schema, so nothing is inferred. */
import type { Schema } from '../../lib/core/data-type.ts';
import type { InputFormat } from '../../lib/core/decoder.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import { schemaOfFiles } from '../../lib/core/schema-merger.ts';
import type { InputFormatSpec } from '../../lib/core/specs.ts';
import { parseAvroSchema, schemaOfAvro } from './avro-type.ts';
import { AvroDecoder } from './decoder.ts';
import { readAvroHeader } from './file-header.ts';

export function avroInput(_spec: Extract<InputFormatSpec, { type: 'avro' }>): InputFormat {
  return {
    type: 'avro',
    splittable: false,
    createDecoder: (options) => new AvroDecoder(options),
    inferSchema: (samples) =>
      schemaOfFiles(
        samples.map(({ bytes }, i) => ({ path: `file ${i + 1}`, schema: schemaOfSample(bytes) })),
      ),
  };
}

function schemaOfSample(sample: Uint8Array): Schema {
  const header = readAvroHeader(sample, 0, sample.length, false);
  if (header === null) {
    throw new SluiceError(
      'SCHEMA_UNKNOWN',
      'the header of an Avro file is longer than the sample that was read',
      {
        hint: 'give the schema in the job file',
      },
    );
  }
  return schemaOfAvro(parseAvroSchema(header.schema));
}
