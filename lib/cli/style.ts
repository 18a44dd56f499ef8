/** Colours of a terminal, or none. */
import type { Environment } from '../config/environment.ts';

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
}

const ansi = (code: number, end: number) => (text: string) => `\u001b[${code}m${text}\u001b[${end}m`;
const plain = (text: string) => text;

const COLOURS: Style = {
  bold: ansi(1, 22),
  dim: ansi(2, 22),
  red: ansi(31, 39),
  yellow: ansi(33, 39),
  green: ansi(32, 39),
};

export const NO_COLOURS: Style = { bold: plain, dim: plain, red: plain, yellow: plain, green: plain };

/** Colours only where somebody looks at them and has not said no (https://no-color.org). */
export function chooseStyle(isTerminal: boolean, environment: Environment, wanted: boolean): Style {
  const refused = (environment.NO_COLOR ?? '') !== '' || environment.TERM === 'dumb';
  return isTerminal && wanted && !refused ? COLOURS : NO_COLOURS;
}
