/** The keys of `transform` in a job file: a list of steps, each with one key. */
import * as z from 'zod';
import { choice, integer, moduleOptions, path, section, text } from './options.ts';
import { dataType, fieldList } from './source-section.ts';

const MAX_STEPS = 100;
/** The window is in each checkpoint as a whole: 21 MB of it. */
const MAX_WINDOW_ROWS = 1_000_000;
const columnName = text('the name of a column');
const columnNames = z
  .array(columnName, { error: 'expected a list of column names' })
  .min(1, { error: 'names no column' })
  .register(z.globalRegistry, { title: 'list' });

function byColumn<Value extends z.ZodType>(value: Value, takes: string) {
  return z
    .record(columnName, value, { error: `expected ${takes} by column` })
    .refine((columns) => Object.keys(columns).length > 0, { error: 'names no column' })
    .register(z.globalRegistry, { title: `${takes} by column` });
}

const value = z.union([z.string(), z.number(), z.boolean()], {
  error: 'expected text, a number, true or false',
});

const cast = z.union(
  [
    dataType,
    section({
      type: dataType.describe('type of the column from here on'),
      on_error: choice(['fail', 'null'])
        .prefault('fail')
        .describe('a value that does not fit: `fail` stops the job (exit 3), `null` puts null in its place'),
    }),
  ],
  { error: 'expected a type, or {type, on_error}' },
);

const constant = z.union(
  [
    value,
    section({
      type: dataType.describe('type of the column'),
      value: value.meta({ title: 'text, number or boolean' }).describe('what every row has'),
    }),
  ],
  { error: 'expected text, a number, true or false, or {type, value}' },
);

const step = section({
  filter: text('a condition')
    .optional()
    .describe(
      'keeps the rows of which it is true, such as `country in ["DE", "FR"] && amount > 10.5`; null is as in SQL',
    ),
  select: columnNames.optional().describe('keeps these columns, in this order'),
  drop: columnNames.optional().describe('leaves these columns out'),
  rename: byColumn(columnName, 'new names').optional().describe('new names by old ones'),
  cast: byColumn(cast, 'types')
    .optional()
    .describe(
      "types by column, or `{type: int64, on_error: 'null'}`; a value that does not fit stops the job (`fail`, the default, exit 3) or becomes null",
    ),
  constant: byColumn(constant, 'values')
    .optional()
    .describe(
      "new columns of one value; `{type: date, value: '2026-01-31'}` where the type is not that of the YAML value",
    ),
  deduplicate: section({
    key: columnNames.describe(
      'columns whose values together tell rows apart; a row with a null among them is kept',
    ),
    window: section({
      rows: integer(1, MAX_WINDOW_ROWS)
        .prefault(100_000)
        .describe(
          'how many different keys are remembered, the newest ones; each takes 22 bytes of each checkpoint',
        ),
    })
      .prefault({})
      .describe('how long a key is remembered'),
  })
    .optional()
    .describe('leaves out rows whose key was seen within a window; needs `parallelism: 1`'),
  default: byColumn(value, 'values').optional().describe('values in place of null'),
  map: section({
    module: path('the path of a module').describe(
      'JavaScript module that exports `createMapFunction(options)`, or has it as its default export; what it gives is called with each row and answers the row to write, or null to leave it out',
    ),
    columns: fieldList
      .optional()
      .register(z.globalRegistry, { title: 'list' })
      .describe(
        'columns of the rows that it answers: {name, type, nullable}; default: those that it is given',
      ),
    options: moduleOptions.describe('what the module is given'),
  })
    .optional()
    .describe('code of your own, row by row'),
}).refine((given) => Object.values(given).filter((each) => each !== undefined).length === 1, {
  error: 'a step has one key: write `- filter: ...` and `- select: ...` as two steps',
});

export const transformSection = z
  .array(step, { error: 'expected a list of steps' })
  .max(MAX_STEPS, { error: `at most ${MAX_STEPS} steps` });
