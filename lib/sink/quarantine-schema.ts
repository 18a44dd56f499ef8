/** The columns of a quarantine part. Stored data: columns may be added at the end, and none changed. */
import type { Schema } from '../core/data-type.ts';

export const QUARANTINE_SCHEMA: Schema = {
  fields: [
    /** BadRecordCode. */
    { name: 'reason', type: { kind: 'string' }, nullable: false },
    { name: 'message', type: { kind: 'string' }, nullable: false },
    { name: 'column', type: { kind: 'string' }, nullable: true },
    { name: 'file', type: { kind: 'string' }, nullable: false },
    /** Of the record's first byte in the decompressed file. */
    { name: 'offset', type: { kind: 'int64' }, nullable: false },
    { name: 'line', type: { kind: 'int64' }, nullable: true },
    /** The checkpoint that made it durable. */
    { name: 'checkpoint', type: { kind: 'int64' }, nullable: false },
    /** The record's bytes without its line end. */
    { name: 'record', type: { kind: 'binary' }, nullable: false },
    /** Whether `record` is all of it, so that it can be replayed. */
    { name: 'complete', type: { kind: 'boolean' }, nullable: false },
    /** What a decoder has to know besides (the names of a CSV file's columns), or null. */
    { name: 'state', type: { kind: 'json' }, nullable: true },
  ],
};

/** How the names of quarantine parts begin. */
export const QUARANTINE_PREFIX = 'quarantine';
