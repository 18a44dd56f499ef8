/** `map`: rows as objects through a function of the user's, and back into columns. */
import { Batch } from '../core/batch.ts';
import { type Column, emptyColumn } from '../core/column.ts';
import type { Schema } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import { createExtension } from '../core/extension-module.ts';
import type { MapFunction } from '../core/map-function.ts';
import type { TransformStep } from '../core/transform-spec.ts';
import { appendValue } from '../core/values.ts';

/** Characters of an answer that is no row. */
const MAX_QUOTED = 100;

/** By the place of their step. */
export type MapFunctions = ReadonlyMap<number, MapFunction>;
export const NO_FUNCTIONS: MapFunctions = new Map();

/**
 * Loads the modules of all steps that have one: each exports `createMapFunction(options)`, which gives a MapFunction (or a
 * promise of one).
 * @throws SluiceError JOB_INVALID
 */
export async function loadMapFunctions(transform: readonly TransformStep[]): Promise<MapFunctions> {
  const functions = new Map<number, MapFunction>();
  for (const [i, step] of transform.entries()) {
    if (step.kind !== 'map') continue;
    const map = await createExtension(step.module, 'createMapFunction', step.options);
    if (typeof map !== 'function')
      throw new SluiceError('JOB_INVALID', `${step.module} gives no function`, {
        details: { module: step.module },
        hint: 'write: export function createMapFunction(options) { return (row) => ({ ...row }); }',
      });
    functions.set(i, map as MapFunction);
  }
  return functions;
}

export class RowMapper {
  readonly #map: MapFunction;
  readonly #module: string;
  readonly #schema: Schema;
  readonly #names: ReadonlySet<string>;

  /** @param schema of the rows that the function gives */
  constructor(map: MapFunction, module: string, schema: Schema) {
    this.#map = map;
    this.#module = module;
    this.#schema = schema;
    this.#names = new Set(schema.fields.map(({ name }) => name));
  }

  /** @param path of the file that the rows are of, for errors @throws SluiceError BAD_RECORD, JOB_INVALID */
  run(batch: Batch, path: string): Batch {
    const columns = this.#schema.fields.map(({ type }) => emptyColumn(type, batch.length));
    let rows = 0;
    for (let row = 0; row < batch.length; row++) {
      const given = this.#answer(batch.record(row), path);
      if (given === null) continue;
      this.#append(columns, given, path);
      rows++;
    }
    return new Batch(this.#schema, columns, rows);
  }

  #answer(row: unknown, path: string): Readonly<Record<string, unknown>> | null {
    let given: unknown;
    try {
      given = this.#map(row as Readonly<Record<string, unknown>>);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw this.#problem('BAD_RECORD', `failed on a row of ${path}: ${why}`, undefined, cause);
    }
    if (given === null) return null;
    const isRow = typeof given === 'object' && !Array.isArray(given) && !(given instanceof Promise);
    if (isRow) return given as Readonly<Record<string, unknown>>;
    const what =
      given instanceof Promise
        ? 'a promise'
        : Array.isArray(given)
          ? 'a list'
          : String(given).slice(0, MAX_QUOTED);
    throw this.#problem(
      'JOB_INVALID',
      `gave ${what} for a row of ${path}`,
      'return an object, or null to leave the row out',
    );
  }

  #append(columns: readonly Column[], given: Readonly<Record<string, unknown>>, path: string): void {
    for (const name of Object.keys(given)) {
      if (this.#names.has(name)) continue;
      const hint = 'name it in `columns` of the step, or leave it out of what the function returns';
      throw this.#problem('JOB_INVALID', `gave a column '${name}' that the step does not have`, hint);
    }
    for (const [i, { name, nullable }] of this.#schema.fields.entries()) {
      // An own property: `constructor` may be the name of a column.
      const value = Object.hasOwn(given, name) ? given[name] : null;
      if (!nullable && (value === null || value === undefined))
        throw this.#problem(
          'BAD_RECORD',
          `gave no '${name}' for a row of ${path}, and the column is not nullable`,
        );
      try {
        appendValue(columns[i]!, value);
      } catch (cause) {
        const { message } = SluiceError.from(cause);
        throw this.#problem(
          'BAD_RECORD',
          `gave for '${name}', of a row of ${path}, what it cannot hold: ${message}`,
          undefined,
          cause,
        );
      }
    }
  }

  #problem(code: 'BAD_RECORD' | 'JOB_INVALID', what: string, hint?: string, cause?: unknown): SluiceError {
    return new SluiceError(code, `the map function of ${this.#module} ${what}`, {
      details: { module: this.#module },
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
