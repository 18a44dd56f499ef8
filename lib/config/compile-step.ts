/** A step of `transform` from the form of the job file to the compiled one, and back. */
import { type DataType, formatDataType } from '../core/data-type.ts';
import { SluiceError } from '../core/errors.ts';
import type { Expression } from '../core/expression.ts';
import type { ConstantSpec, ConstantValue, TransformStep } from '../core/transform-spec.ts';
import type { RawJob, ValidatedJob } from './job-definition.ts';
import { rawSchema } from './raw-schema.ts';

type ValidatedStep = ValidatedJob['transform'][number];
type RawStep = NonNullable<RawJob['transform']>[number];

/**
 * @param expression of a filter
 * @param absolute path of one that the job file has
 */
export function compileStep(
  step: ValidatedStep,
  expression: Expression | undefined,
  absolute: (given: string) => string,
): TransformStep {
  const { filter, select, drop, rename, cast, constant } = step;
  if (filter !== undefined && expression !== undefined) return { kind: 'filter', text: filter, expression };
  if (select !== undefined) return { kind: 'select', columns: select };
  if (drop !== undefined) return { kind: 'drop', columns: drop };
  if (rename !== undefined) return { kind: 'rename', names: rename };
  if (cast !== undefined) {
    return {
      kind: 'cast',
      columns: mapValues(cast, (given) =>
        'on_error' in given
          ? { type: given.type, onError: given.on_error }
          : { type: given, onError: 'fail' },
      ),
    };
  }
  if (constant !== undefined) return { kind: 'constant', columns: mapValues(constant, constantSpec) };
  if (step.deduplicate !== undefined) {
    const { key, window } = step.deduplicate;
    return { kind: 'deduplicate', key, rows: window.rows };
  }
  if (step.default !== undefined) return { kind: 'default', columns: step.default };
  if (step.map !== undefined) {
    const { module, columns, options } = step.map;
    const schema = columns === undefined ? null : { fields: columns };
    return { kind: 'map', module: absolute(module), schema, options: options ?? null };
  }
  throw new SluiceError('INTERNAL', 'a step of transform without a key');
}

function constantSpec(given: ConstantValue | { type: DataType; value: ConstantValue }): ConstantSpec {
  if (typeof given === 'object') return given;
  return { type: { kind: kindOf(given) }, value: given };
}

function kindOf(value: ConstantValue): 'string' | 'boolean' | 'int64' | 'float64' {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  return Number.isSafeInteger(value) ? 'int64' : 'float64';
}

export function rawStep(step: TransformStep): RawStep {
  switch (step.kind) {
    case 'filter':
      return { filter: step.text };
    case 'select':
      return { select: [...step.columns] };
    case 'drop':
      return { drop: [...step.columns] };
    case 'rename':
      return { rename: { ...step.names } };
    case 'cast':
      return {
        cast: mapValues(step.columns, ({ type, onError }) => ({
          type: formatDataType(type),
          on_error: onError,
        })),
      };
    case 'constant':
      return {
        constant: mapValues(step.columns, ({ type, value }) => ({ type: formatDataType(type), value })),
      };
    case 'deduplicate':
      return { deduplicate: { key: [...step.key], window: { rows: step.rows } } };
    case 'default':
      return { default: { ...step.columns } };
    case 'map': {
      const { module, schema, options } = step;
      return { map: { module, ...(schema === null ? {} : { columns: rawSchema(schema) }), options } };
    }
  }
}

function mapValues<From, To>(
  values: Readonly<Record<string, From>>,
  to: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, to(value)]));
}
