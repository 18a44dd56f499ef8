/** The event time of each row, out of a column. Flink: TimestampAssigner. */
import type { Batch } from '../lib/core/batch.ts';
import type { BytesColumn, Column, Dictionary, DictionaryColumn, FixedColumn } from '../lib/core/column.ts';
import { formatDataType, type Schema } from '../lib/core/data-type.ts';
import { SluiceError } from '../lib/core/errors.ts';
import { floorDivide64, isSafe64 } from '../lib/core/int64.ts';
import type { EventTimeSpec } from '../lib/core/specs.ts';
import { parseIsoInstant } from './iso-instant.ts';

const MS_PER_DAY = 86_400_000;
/** As far as a JavaScript Date reaches. */
const MAX_INSTANT_MS = 8.64e15;

/** A unit of epoch numbers: so many milliseconds each, or so many to a millisecond. */
const UNITS = {
  s: { multiplier: 1000, divisor: 1 },
  ms: { multiplier: 1, divisor: 1 },
  us: { multiplier: 1, divisor: 1000 },
  ns: { multiplier: 1, divisor: 1_000_000 },
} as const;

/**
 * Gives the function that reads event times: milliseconds since 1970 for each row, NaN for null rows. What is finer than a
 * millisecond is cut towards the past. Timestamps and dates know their unit; int32, int64 and float columns count
 * `spec.unit`; strings are ISO 8601, UTC where they name no zone. The array is valid until the next call.
 * @throws SluiceError JOB_INVALID where the column is missing or of another type; the function throws BAD_RECORD for a
 * value that is no time
 */
export function createEventTime(spec: EventTimeSpec, schema: Schema): (batch: Batch) => Float64Array {
  const reader = new EventTime(spec, schema);
  return (batch) => reader.read(batch);
}

class EventTime {
  readonly #column: string;
  readonly #multiplier: number;
  readonly #divisor: number;
  #times = new Float64Array(0);
  /** Of each code of #dictionary, NaN where it was not needed yet. */
  #parsed = new Float64Array(0);
  #dictionary: Dictionary | null = null;

  constructor(spec: EventTimeSpec, schema: Schema) {
    this.#column = spec.column;
    const field = schema.fields.find((candidate) => candidate.name === spec.column);
    if (field === undefined) {
      throw new SluiceError(
        'JOB_INVALID',
        `event_time needs the column '${spec.column}', which there is not`,
        {
          hint: `columns are ${schema.fields.map((candidate) => candidate.name).join(', ')}`,
        },
      );
    }
    const { type } = field;
    switch (type.kind) {
      case 'timestamp':
        ({ multiplier: this.#multiplier, divisor: this.#divisor } = UNITS[type.unit]);
        break;
      case 'date':
        this.#multiplier = MS_PER_DAY;
        this.#divisor = 1;
        break;
      case 'int32':
      case 'int64':
      case 'float32':
      case 'float64':
      case 'string':
        ({ multiplier: this.#multiplier, divisor: this.#divisor } = UNITS[spec.unit]);
        break;
      default:
        throw new SluiceError(
          'JOB_INVALID',
          `event_time cannot be read from column '${spec.column}' of type ${formatDataType(type)}`,
          { hint: 'take a timestamp, a date, an epoch number or a string in ISO 8601' },
        );
    }
  }

  read(batch: Batch): Float64Array {
    const rows = batch.length;
    if (this.#times.length < rows) this.#times = new Float64Array(rows);
    const column = batch.column(this.#column);
    const times = this.#times;
    switch (column.layout) {
      case 'bytes':
        this.#readTexts(column, rows);
        return times;
      case 'dictionary':
        this.#readCodes(column, rows);
        return times;
      case 'fixed':
        if (column.words === 1 || column.type.kind === 'float64') this.#readNumbers(column, rows);
        else this.#readWords(column, rows);
        break;
      default:
        throw new SluiceError('INTERNAL', `a ${column.type.kind} column has the layout ${column.layout}`);
    }
    if (column.nullCount > 0) {
      for (let row = 0; row < rows; row++) if (column.isNull(row)) times[row] = Number.NaN;
    }
    for (let row = 0; row < rows; row++) {
      if (Math.abs(times[row]!) > MAX_INSTANT_MS) this.#refuse(row, numberText(column, row));
    }
    return times;
  }

  #readNumbers(column: FixedColumn, rows: number): void {
    const { kind } = column.type;
    const numbers = kind === 'float64' ? column.float64 : kind === 'float32' ? column.float32 : column.values;
    for (let row = 0; row < rows; row++) {
      this.#times[row] = Math.floor((numbers[row]! * this.#multiplier) / this.#divisor);
    }
  }

  #readWords(column: FixedColumn, rows: number): void {
    const { values } = column;
    const times = this.#times;
    const divisor = this.#divisor;
    if (divisor === 1) {
      for (let row = 0; row < rows; row++) {
        times[row] = (values[row * 2 + 1]! * 4294967296 + (values[row * 2]! >>> 0)) * this.#multiplier;
      }
      return;
    }
    for (let row = 0; row < rows; row++) {
      const high = values[row * 2 + 1]!;
      const low = values[row * 2]! >>> 0;
      times[row] = isSafe64(high)
        ? Math.floor((high * 4294967296 + low) / divisor)
        : floorDivide64(high, low, divisor);
    }
  }

  #readTexts(column: BytesColumn, rows: number): void {
    const { bytes, offsets } = column;
    for (let row = 0; row < rows; row++) {
      if (column.isNull(row)) {
        this.#times[row] = Number.NaN;
        continue;
      }
      const time = parseIsoInstant(bytes, offsets[row]!, offsets[row + 1]!);
      if (Number.isNaN(time)) this.#refuse(row, textOf(bytes, offsets[row]!, offsets[row + 1]!));
      this.#times[row] = time;
    }
  }

  #readCodes(column: DictionaryColumn, rows: number): void {
    const { dictionary, codes } = column;
    this.#follow(dictionary);
    const parsed = this.#parsed;
    for (let row = 0; row < rows; row++) {
      if (column.isNull(row)) {
        this.#times[row] = Number.NaN;
        continue;
      }
      const code = codes[row]!;
      let time = parsed[code]!;
      if (Number.isNaN(time)) {
        const { bytes, offsets } = dictionary;
        time = parseIsoInstant(bytes, offsets[code]!, offsets[code + 1]!);
        if (Number.isNaN(time)) this.#refuse(row, textOf(bytes, offsets[code]!, offsets[code + 1]!));
        parsed[code] = time;
      }
      this.#times[row] = time;
    }
  }

  /** Dictionaries only grow: what was parsed stays right until another one comes. */
  #follow(dictionary: Dictionary): void {
    if (dictionary !== this.#dictionary) {
      this.#dictionary = dictionary;
      this.#parsed.fill(Number.NaN);
    }
    if (dictionary.count <= this.#parsed.length) return;
    const parsed = new Float64Array(Math.max(dictionary.count, this.#parsed.length * 2)).fill(Number.NaN);
    parsed.set(this.#parsed);
    this.#parsed = parsed;
  }

  #refuse(row: number, value: string): never {
    throw new SluiceError(
      'BAD_RECORD',
      `column '${this.#column}' is the event time, and '${value}' is no time`,
      {
        details: { column: this.#column, value, row },
        hint: 'strings have to be ISO 8601; for numbers check event_time.unit',
      },
    );
  }
}

function numberText(column: Column, row: number): string {
  if (column.layout !== 'fixed') return '';
  if (column.type.kind === 'float64') return String(column.float64[row]);
  if (column.type.kind === 'float32') return String(column.float32[row]);
  return column.words === 2 ? String(column.getBigInt(row)) : String(column.values[row]);
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 200)));
}
