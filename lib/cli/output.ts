/** Where a command's words go: documents for machines to stdout, text for people to stderr. */
import type { SluiceError } from '../core/errors.ts';
import type { CliIo } from './io.ts';
import { printable } from './printable.ts';
import { errorDocument, renderError } from './render-error.ts';
import { chooseStyle, type Style } from './style.ts';

export interface OutputOptions {
  readonly json: boolean;
  /** Only errors, and what was asked for. */
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly colour: boolean;
}

export class Output {
  readonly style: Style;
  readonly json: boolean;
  readonly #io: CliIo;
  readonly #options: OutputOptions;

  constructor(io: CliIo, options: OutputOptions) {
    this.#io = io;
    this.#options = options;
    this.json = options.json;
    this.style = chooseStyle(io.stderr.isTTY === true, io.environment, options.colour);
  }

  get quiet(): boolean {
    return this.#options.quiet;
  }

  /** A line, or several, for people: what they may want to know. */
  note(text: string): void {
    if (!this.#options.quiet) this.#io.stderr.write(`${text}\n`);
  }

  warning(text: string): void {
    if (!this.#options.quiet) {
      this.#io.stderr.write(`${this.style.yellow('warning')} ${printable(text)}\n`);
    }
  }

  /** What a person asked for: printed even with --quiet; with --json there is a document instead. */
  answer(text: string): void {
    if (!this.json) this.#io.stderr.write(`${text}\n`);
  }

  /** Text that is for pasting and piping. */
  text(text: string): void {
    this.#io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** The JSON document of the command; one line, so that further ones may follow. */
  document(value: unknown): void {
    this.#io.stdout.write(`${toJson(value)}\n`);
  }

  error(error: SluiceError): void {
    if (this.json) this.document(errorDocument(error, this.#options.verbose));
    else this.#io.stderr.write(`${renderError(error, this.#options.verbose, this.style)}\n`);
  }
}

/** JSON; what it has no form for becomes text, as 64-bit counts do. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}
