// An error that a person has to do something about: its message is one line that says what is wrong and what to do. It
// is shown without a stack; everything else that is thrown is a fault of the program.

export class UserError extends Error {
  override name = 'UserError';
}

/** Returns the message of an error, or the text of anything else that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Returns the code of a failed system call, such as ENOENT, or undefined for any other error. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
