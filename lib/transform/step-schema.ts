/** What a step makes of the columns before it, and what is wrong where they do not go together. */
import { type DataType, type Field, formatDataType, type Schema } from '../core/data-type.ts';
import type { TransformStep } from '../core/transform-spec.ts';
import { canCast } from './cast-column.ts';
import { mayBeRounded, oneValue } from './constant-column.ts';
import { canBeKey } from './deduplicate.ts';
import { compilePredicate } from './expression/compile.ts';

export interface StepProblem {
  /** Below the step's key. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export interface StepResult {
  readonly schema: Schema;
  readonly problems: readonly StepProblem[];
}

export function stepSchema(step: TransformStep, schema: Schema): StepResult {
  const { fields } = schema;
  const problems: StepProblem[] = [];
  const find = (name: string, path: StepProblem['path']): Field | undefined => {
    const field = fields.find((each) => each.name === name);
    const names = fields.slice(0, 20).map((each) => each.name);
    if (field === undefined)
      problems.push({ path, message: `there is no column '${name}' (there are ${names.join(', ')})` });
    return field;
  };
  const replaced = (columns: Readonly<Record<string, unknown>>, of: (field: Field) => Field): Schema => ({
    fields: fields.map((field) => (Object.hasOwn(columns, field.name) ? of(field) : field)),
  });
  const result = (next: Schema): StepResult => {
    if (next.fields.length === 0) problems.push({ path: [], message: 'no column is left' });
    return { schema: next, problems };
  };
  switch (step.kind) {
    case 'filter': {
      const compiled = compilePredicate(step.expression, schema);
      if (typeof compiled !== 'function')
        problems.push({ path: [], message: expressionProblem(step.text, compiled) });
      return result(schema);
    }
    case 'select':
    case 'drop': {
      for (const [i, name] of step.columns.entries()) {
        find(name, [i]);
        if (step.columns.indexOf(name) !== i) problems.push({ path: [i], message: `'${name}' stands twice` });
      }
      if (step.kind === 'drop')
        return result({ fields: fields.filter(({ name }) => !step.columns.includes(name)) });
      return result({
        fields: step.columns.flatMap((name) => fields.find((field) => field.name === name) ?? []),
      });
    }
    case 'deduplicate': {
      for (const [i, name] of step.key.entries()) {
        const field = find(name, ['key', i]);
        if (step.key.indexOf(name) !== i)
          problems.push({ path: ['key', i], message: `'${name}' stands twice` });
        if (field !== undefined && !canBeKey(field.type))
          problems.push({
            path: ['key', i],
            message: `'${name}' is ${formatDataType(field.type)}, which is no key`,
          });
      }
      return result(schema);
    }
    case 'rename': {
      for (const name of Object.keys(step.names)) find(name, [name]);
      const renamed = replaced(step.names, (field) => ({ ...field, name: step.names[field.name]! }));
      for (const [from, to] of Object.entries(step.names)) {
        if (renamed.fields.filter(({ name }) => name === to).length > 1)
          problems.push({ path: [from], message: `there is a column '${to}' already` });
      }
      return result(renamed);
    }
    case 'cast': {
      for (const [name, { type }] of Object.entries(step.columns)) {
        const field = find(name, [name]);
        if (field !== undefined && !canCast(field.type, type)) {
          const [from, to] = [formatDataType(field.type), formatDataType(type)];
          problems.push({ path: [name], message: `'${name}' is ${from}, which has no cast to ${to}` });
        }
      }
      return result(
        replaced(step.columns, (field) => {
          const { type, onError } = step.columns[field.name]!;
          return { ...field, type, nullable: field.nullable || onError === 'null' };
        }),
      );
    }
    case 'constant': {
      const added: Field[] = [];
      for (const [name, { type, value }] of Object.entries(step.columns)) {
        if (fields.some((field) => field.name === name))
          problems.push({ path: [name], message: `there is a column '${name}' already` });
        checkValue(type, value, [name]);
        added.push({ name, type, nullable: true });
      }
      return result({ fields: [...fields, ...added] });
    }
    case 'map': {
      const given = step.schema?.fields.map(({ name }) => name) ?? [];
      for (const [i, name] of given.entries()) {
        if (given.indexOf(name) !== i)
          problems.push({ path: ['columns', i], message: `'${name}' stands twice` });
      }
      return result(step.schema ?? schema);
    }
    case 'default':
      for (const [name, value] of Object.entries(step.columns)) {
        const field = find(name, [name]);
        if (field !== undefined) checkValue(field.type, value, [name]);
      }
      return result(schema);
  }

  function checkValue(type: DataType, value: string | number | boolean, path: StepProblem['path']): void {
    if (oneValue(type, value) !== null) return;
    const why = mayBeRounded(type, value) ? ': YAML rounds such numbers, so write it as text, in quotes' : '';
    problems.push({ path, message: `${JSON.stringify(value)} is no ${formatDataType(type)}${why}` });
  }
}

/** With its place in the text, since that of the text in the file says little about a long one. */
export function expressionProblem(text: string, problem: { at: number; message: string }): string {
  return `at character ${problem.at + 1} (${text.slice(problem.at, problem.at + 20) || 'the end'}): ${problem.message}`;
}
