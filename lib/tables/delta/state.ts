/** A table as its log tells it: actions applied in order (Delta protocol, Action Reconciliation). */
import { SluiceError } from '../../core/errors.ts';
import type { Action, Add, MetaData, Protocol, Remove, Transaction } from './actions.ts';
import { decodePath } from './path.ts';

/** What the job needs of a table's protocol and can keep to. */
export const PROTOCOL: Protocol = { minReaderVersion: 1, minWriterVersion: 2 };

export class DeltaState {
  /** Of the newest log entry; -1 where there is no table. */
  version = -1;
  protocol: Protocol | null = null;
  metaData: MetaData | null = null;
  readonly transactions = new Map<string, Transaction>();
  /** By path, decoded: writers do not all encode alike. Some 500 bytes each. */
  readonly files = new Map<string, Add>();
  /** Removed a while ago: readers of older versions may still need them. By path, decoded. */
  readonly tombstones = new Map<string, Remove>();

  /** @throws SluiceError TABLE_UNSUITABLE where the table asks for what we cannot do */
  apply(actions: readonly Action[]): void {
    for (const { add, remove, metaData, protocol, txn } of actions) {
      if (protocol) this.protocol = proveProtocol(protocol);
      if (metaData) this.metaData = proveFormat(metaData);
      if (txn) this.transactions.set(txn.appId, txn);
      // A path stands in one entry as removed and added again only where deletion vectors are known.
      if (remove) {
        const path = decodePath(remove.path);
        this.files.delete(path);
        this.tombstones.set(path, remove);
      }
      if (add) {
        const path = decodePath(add.path);
        this.files.set(path, add);
        this.tombstones.delete(path);
      }
    }
  }

  /** Forgets removed files that no reader is expected to need any more. */
  expire(beforeMs: number): void {
    for (const [path, { deletionTimestamp }] of this.tombstones)
      if ((deletionTimestamp ?? 0) < beforeMs) this.tombstones.delete(path);
  }
}

function proveProtocol(protocol: Protocol): Protocol {
  const { minReaderVersion, minWriterVersion } = protocol;
  if (
    minReaderVersion <= PROTOCOL.minReaderVersion &&
    minWriterVersion <= PROTOCOL.minWriterVersion &&
    minReaderVersion >= 1 &&
    minWriterVersion >= 1
  )
    return protocol;
  throw new SluiceError(
    'TABLE_UNSUITABLE',
    `the Delta table asks for reader version ${minReaderVersion} and writer version ${minWriterVersion}, and sluice writes tables of reader version 1 and writer version 2`,
    {
      hint: 'write into a table of its own, without deletion vectors, column mapping, change data feed, constraints and the like',
    },
  );
}

function proveFormat(metaData: MetaData): MetaData {
  if (metaData.format.provider === 'parquet') return metaData;
  throw new SluiceError('TABLE_UNSUITABLE', `the Delta table holds ${metaData.format.provider} files`);
}
