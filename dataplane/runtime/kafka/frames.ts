// Watches the frames that a broker sends: four bytes that say how long the frame is, then the frame. kafkajs gathers
// whatever length is announced and takes a negative one for an endless loop, so a broker, or somebody in its place, could
// fill a role's memory or stop it. Pure.

const LENGTH_BYTES = 4;

export interface Frames {
  /** Takes the next bytes of the connection. Returns false when a frame is longer than allowed: nothing fits any more. */
  admit(bytes: Uint8Array): boolean;
}

/** Follows one connection from its beginning. `longest` is in bytes, without the four that announce the length. */
export function watchFrames(longest: number): Frames {
  /** What is left of the frame that is under way. */
  let left = 0;
  /** How many bytes of the next frame's length were read, and their value so far. */
  let read = 0;
  let length = 0;
  return {
    admit(bytes) {
      for (let at = 0; at < bytes.length; ) {
        if (left > 0) {
          const taken = Math.min(left, bytes.length - at);
          left -= taken;
          at += taken;
          continue;
        }
        length = length * 256 + (bytes[at++] ?? 0);
        if (++read < LENGTH_BYTES) continue;
        // A negative length is a huge one here.
        if (length > longest) return false;
        [left, read, length] = [length, 0, 0];
      }
      return true;
    },
  };
}
