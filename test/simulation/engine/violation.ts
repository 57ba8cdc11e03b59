// A run found something that must never be. The message begins with the row it breaks.

export class Violation extends Error {
  override name = 'Violation';
}
