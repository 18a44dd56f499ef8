/** The parts of parquetjs-lite that are used; it brings no types. */
declare module 'parquetjs-lite' {
  export interface FieldDefinition {
    type?: string;
    optional?: boolean;
    repeated?: boolean;
    compression?: string;
    /** false: none are written. */
    statistics?: false;
    fields?: Record<string, FieldDefinition>;
  }

  export class ParquetSchema {
    constructor(fields: Record<string, FieldDefinition>);
    readonly fieldList: readonly { readonly path: readonly string[]; readonly isNested?: boolean }[];
  }

  /** Entries of one leaf that wait for their page. */
  export interface ColumnData {
    dlevels: number[];
    rlevels: number[];
    values: unknown[];
    distinct_values: Set<unknown>;
    count: number;
  }

  /** Rows of a row group: `columnData` of the page under way and `pages` encoded, by path joined with commas. */
  export interface RowGroupData {
    rowCount: number;
    pageRowCount: number;
    columnData: Record<string, ColumnData>;
    pages: Record<string, unknown[]>;
  }

  export interface EnvelopeOptions {
    pageIndex?: boolean;
    useDataPageV2?: boolean;
  }

  export class ParquetEnvelopeWriter {
    constructor(
      schema: ParquetSchema,
      write: (bytes: Uint8Array) => unknown,
      close: () => unknown,
      fileOffset: number,
      options: EnvelopeOptions,
    );
    rowCount: number;
    rowGroups: unknown[];
    writeHeader(): unknown;
    writeRowGroup(rows: RowGroupData): unknown;
    writeIndex(): unknown;
    writeFooter(userMetadata: Record<string, string>): unknown;
  }

  export class ParquetWriter {
    constructor(schema: ParquetSchema, envelope: object, options: object);
    rowBuffer: RowGroupData;
    close(): Promise<void>;
  }

  interface Reader {
    getRowCount(): unknown;
    getCursor(): { next(): Promise<Record<string, unknown> | null> };
    close(): Promise<void>;
  }

  const parquet: {
    ParquetSchema: typeof ParquetSchema;
    ParquetWriter: typeof ParquetWriter;
    ParquetEnvelopeWriter: typeof ParquetEnvelopeWriter;
    ParquetReader: { openBuffer(bytes: Buffer): Promise<Reader> };
  };
  export default parquet;
}

declare module 'parquetjs-lite/lib/util.js' {
  const util: {
    serializeThrift(value: object): Buffer;
    decodeThrift(into: object, bytes: Buffer): number;
  };
  export default util;
}

declare module 'parquetjs-lite/gen-nodejs/parquet_types.js' {
  const types: { RowGroup: new () => object };
  export default types;
}
