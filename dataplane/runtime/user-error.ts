// What a person has to do something about: one line that says what is wrong and what to do. Shown without a stack;
// everything else that is thrown is a fault of the program.

export class UserError extends Error {
  override name = 'UserError';
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The code of a failed system call, such as ENOENT. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
