/**
 * `engine: parquetjs`: pages, row groups and footer by parquetjs-lite, for those who need that very writer. Some hundred
 * times slower than ours (55 s a million rows), PLAIN encoding only.
 *
 * Levels and values come from our own shredder and not from the library's rows-as-objects: its conversions lose digits of
 * int64 beyond 2^53, refuse times before 1970 and mistake field names for inherited properties. Two of its features
 * are left off because readers trip over them: the page index (Trino fails on every WHERE) and statistics (strings are
 * compared in UTF-16 order, so that filters would lose rows).
 */
import parquetjs, {
  type ColumnData,
  type FieldDefinition,
  type ParquetSchema,
  type RowGroupData,
} from 'parquetjs-lite';
import parquetTypes from 'parquetjs-lite/gen-nodejs/parquet_types.js';
import util from 'parquetjs-lite/lib/util.js';
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import type { Column } from '../../lib/core/column.ts';
import type { DataType, Field, Schema } from '../../lib/core/data-type.ts';
import { formatDataType } from '../../lib/core/data-type.ts';
import { SluiceError } from '../../lib/core/errors.ts';
import type { RowBuffer } from '../../lib/core/row-buffer.ts';
import { type ChunkValues, ValueCollector } from './chunk-values.ts';
import type { ParquetEngine } from './engine.ts';
import { type Entries, Shredder } from './levels.ts';
import type { Leaf } from './schema.ts';

const CODECS = { none: 'UNCOMPRESSED', gzip: 'GZIP', snappy: 'SNAPPY' } as const;

/** Entries of a page. The library's encoder of levels takes time that grows with their square. */
const PAGE_ENTRIES = 8192;

const OPTIONS = { pageIndex: false, useDataPageV2: false };

export class ParquetJsEngine implements ParquetEngine {
  readonly #compression: string;
  readonly #schemas = new WeakMap<Schema, ParquetSchema>();
  readonly #shredder = new Shredder();
  readonly #collector = new ValueCollector();

  constructor(compression: keyof typeof CODECS) {
    this.#compression = CODECS[compression];
  }

  checkSchema(schema: Schema): void {
    this.#schemaOf(schema);
  }

  encodeRowGroup(
    buffer: RowBuffer,
    leaves: readonly Leaf[],
    out: ByteBuffer,
    fileOffset: number,
  ): Uint8Array {
    const schema = this.#schemaOf(buffer.schema);
    const rows: RowGroupData = { rowCount: buffer.length, pageRowCount: 0, columnData: {}, pages: {} };
    let leaf = 0;
    buffer.schema.fields.forEach((field, i) => {
      this.#shredder.shred(buffer.columns[i]!, field, buffer.length, (column, entries) => {
        this.#encodePages(schema, leaves[leaf++]!, column, entries, rows);
      });
    });
    const envelope = envelopeOf(schema, out, fileOffset + out.length);
    envelope.writeRowGroup(rows);
    return util.serializeThrift(envelope.rowGroups[0] as object);
  }

  /** Lets the library encode the pages of one leaf; they gather in `rows.pages`. */
  #encodePages(
    schema: ParquetSchema,
    leaf: Leaf,
    column: Column,
    entries: Entries,
    rows: RowGroupData,
  ): void {
    const values = this.#collector.collect(leaf, column, entries);
    const pages: unknown[] = [];
    let value = 0;
    let from = 0;
    while (from < entries.count) {
      let to = Math.min(from + PAGE_ENTRIES, entries.count);
      while (to < entries.count && entries.repetition !== null && entries.repetition[to] !== 0) to++;
      const data: ColumnData = { dlevels: [], rlevels: [], values: [], distinct_values: new Set(), count: 0 };
      for (let e = from; e < to; e++) {
        const definition = definitionOf(leaf, entries, e);
        data.dlevels.push(definition);
        data.rlevels.push(entries.repetition?.[e] ?? 0);
        if (definition === leaf.maxDefinition) data.values.push(libraryValue(leaf, values, value++));
      }
      data.count = to - from;
      encodePage(schema, leaf, data, pages);
      from = to;
    }
    rows.pages[leaf.path.join(',')] = pages;
  }

  pushFooter(
    out: ByteBuffer,
    schema: Schema,
    _leaves: readonly Leaf[],
    rows: number,
    rowGroups: readonly Uint8Array[],
  ): void {
    const envelope = envelopeOf(this.#schemaOf(schema), out, 0);
    envelope.rowCount = rows;
    envelope.rowGroups = rowGroups.map((bytes) => {
      const rowGroup = new parquetTypes.RowGroup();
      util.decodeThrift(rowGroup, Buffer.from(bytes));
      return rowGroup;
    });
    envelope.writeFooter({});
  }

  #schemaOf(schema: Schema): ParquetSchema {
    let known = this.#schemas.get(schema);
    if (known === undefined) {
      known = new parquetjs.ParquetSchema(definitionsOf(schema.fields, this.#compression));
      this.#schemas.set(schema, known);
    }
    return known;
  }
}

function envelopeOf(schema: ParquetSchema, out: ByteBuffer, fileOffset: number) {
  return new parquetjs.ParquetEnvelopeWriter(
    schema,
    (bytes) => out.push(bytes),
    () => {},
    fileOffset,
    OPTIONS,
  );
}

/**
 * The library encodes pages when a writer closes, and nowhere else that can be called. Up to its first await, behind
 * the row group, `close` runs at once; what follows it are the empty steps of the envelope given here.
 */
function encodePage(schema: ParquetSchema, leaf: Leaf, data: ColumnData, pages: unknown[]): void {
  const path = leaf.path.join(',');
  let isEncoded = false;
  const envelope = {
    useDataPageV2: OPTIONS.useDataPageV2,
    writeHeader: () => {},
    writeRowGroup: () => {
      isEncoded = true;
    },
    writeIndex: () => {},
    writeFooter: () => {},
    close: () => {},
  };
  const onlyLeaf = { fieldList: schema.fieldList.filter((field) => field.path.join(',') === path) };
  const writer = new parquetjs.ParquetWriter(onlyLeaf as unknown as ParquetSchema, envelope, {});
  writer.rowBuffer = { rowCount: 1, pageRowCount: 1, columnData: { [path]: data }, pages: { [path]: pages } };
  // A failure shows in `isEncoded`; the promise only repeats it, later.
  writer.close().catch(() => {});
  if (!isEncoded)
    throw new SluiceError('INTERNAL', `parquetjs-lite could not encode column '${leaf.path.join('.')}'`);
}

function definitionOf(leaf: Leaf, { definition, bitmap }: Entries, entry: number): number {
  if (definition !== null) return definition[entry]!;
  if (bitmap !== null && ((bitmap[entry >> 3]! >> (entry & 7)) & 1) === 0) return leaf.maxDefinition - 1;
  return leaf.maxDefinition;
}

/** A value in the form that the library's PLAIN encoder takes: numbers, bigints for 64 bits, Buffers for bytes. */
function libraryValue(leaf: Leaf, values: ChunkValues, i: number): unknown {
  switch (values.kind) {
    case 'bits':
      return ((values.bits[i >> 3]! >> (i & 7)) & 1) === 1;
    case 'fixed': {
      const { buffer, byteOffset, byteLength } = values.values;
      const view = new DataView(buffer, byteOffset, byteLength);
      if (leaf.type.kind === 'float32') return view.getFloat32(i * 4, true);
      if (leaf.type.kind === 'float64') return view.getFloat64(i * 8, true);
      return values.words === 1 ? values.values[i]! : view.getBigInt64(i * 8, true);
    }
    case 'bytes': {
      const entry = values.index === null ? i : values.index[i]!;
      return Buffer.from(values.bytes.subarray(values.offsets[entry]!, values.offsets[entry + 1]!));
    }
  }
}

function definitionsOf(fields: readonly Field[], compression: string): Record<string, FieldDefinition> {
  return Object.fromEntries(
    fields.map(({ name, type, nullable }) => {
      // The library keeps fields in plain objects and joins paths with commas: such names would change places, vanish or collide.
      if (/^\d+$|,|^__proto__$/.test(name)) {
        throw new SluiceError('JOB_INVALID', `engine parquetjs cannot write a column named '${name}'`, {
          hint: 'use engine: sluice, or another name',
        });
      }
      return [name, { ...definitionOfType(type, compression), ...(nullable ? { optional: true } : {}) }];
    }),
  );
}

function definitionOfType(type: DataType, compression: string): FieldDefinition {
  switch (type.kind) {
    case 'list': {
      const element: Field = { name: 'element', type: type.element, nullable: true };
      const list = { repeated: true, fields: definitionsOf([element], compression) };
      return { type: 'LIST', fields: { list } };
    }
    case 'struct':
      return { fields: definitionsOf(type.fields, compression) };
    case 'decimal':
      throw new SluiceError('JOB_INVALID', `engine parquetjs has no type for ${formatDataType(type)}`, {
        hint: 'use engine: sluice, or the type string',
      });
    default:
      return {
        type: LIBRARY_TYPES[type.kind === 'timestamp' ? type.unit : type.kind],
        compression,
        statistics: false,
      };
  }
}

const LIBRARY_TYPES = {
  boolean: 'BOOLEAN',
  int32: 'INT32',
  int64: 'INT64',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  string: 'UTF8',
  binary: 'BYTE_ARRAY',
  json: 'JSON',
  date: 'DATE',
  ms: 'TIMESTAMP_MILLIS',
  us: 'TIMESTAMP_MICROS',
} as const;
