/**
 * `${NAME}` and `${NAME:-default}` in the values of a job file. What comes in is text and stays text: it is put in
 * after the YAML was parsed, so a value of `a: b` or `[1` can change no structure.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

/** `$${` stands for a literal `${`. */
const REFERENCE = /\$?\$\{([^}]*\}?)/g;
const NAME_AND_DEFAULT = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?\}$/;

export interface Substitution {
  readonly text: string;
  /** Why references could not be filled in; they stand in the text as they were. */
  readonly problems: readonly string[];
}

/** Fills in references once: what an environment variable holds is not searched for further ones. */
export function substitute(text: string, environment: Environment): Substitution {
  if (!text.includes('${')) return { text, problems: [] };
  const problems: string[] = [];
  const filled = text.replace(REFERENCE, (reference: string, inner: string) => {
    if (reference.startsWith('$$')) return reference.slice(1);
    const match = NAME_AND_DEFAULT.exec(inner);
    if (match === null) {
      problems.push(`'${reference}' is not \${NAME} or \${NAME:-default} (write $\${ for a literal \${)`);
      return reference;
    }
    const name = match[1] ?? '';
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    const fallback = match[2];
    // As in a shell, `:-` also stands in for a variable that is set and empty.
    if (value !== undefined && (value !== '' || fallback === undefined)) return value;
    if (fallback !== undefined) return fallback;
    problems.push(
      `the environment variable ${name} is not set (\${${name}:-default} would give it a default)`,
    );
    return reference;
  });
  return { text: filled, problems };
}

/** Text that {@link substitute} gives back unchanged: for what is printed to be pasted into a job file. */
export function escapeReferences(text: string): string {
  return text.replaceAll('${', () => '$${');
}
