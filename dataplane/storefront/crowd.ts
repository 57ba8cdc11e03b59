// How many purchases may wait here at once. A crowd far beyond what this machine serves would otherwise make everybody
// wait for everybody, checkouts included; so whoever finds the room full is told to come back, before anything was done.
// That only delays (a turned away buyer takes no stock, and stock waits for nobody), and it spreads the crowd: each is
// given another moment to come back. Time and randomness come in.

import type { Refusal } from '../protocol/problems.ts';
import type { Millis } from '../protocol/units.ts';
import { Pace } from './sold-out.ts';

export interface Room {
  most: number;
  again: number;
}

/**
 * Purchases under way. A storefront with a core of its own serves 20,000 in a second, one that shares it a quarter:
 * nobody let in waits much longer than a second. It opens again at half, so that it does not flutter.
 */
const ROOM: Room = { most: 4096, again: 2048 };

/** Whether the room counts as full from now on. Pure. */
export const fullAt = ({ most, again }: Room, wasFull: boolean, underWay: number): boolean =>
  underWay >= most || (wasFull && underWay > again);

export class Crowd {
  readonly #room: Room;
  readonly #pace = new Pace();
  #underWay = 0;
  #full = false;

  constructor(room: Room = ROOM) {
    this.#room = room;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Undefined: the caller is in, and leaves. Otherwise it is told to come back. `random`: from 0 up to and without 1. */
  enter(now: Millis, random: () => number): Refusal | undefined {
    this.#full = fullAt(this.#room, this.#full, this.#underWay);
    if (this.#full) return { problem: 'busy', retryAfter: 1 + Math.floor(random() * this.#pace.next(now)) };
    this.#underWay++;
    return undefined;
  }

  leave(): void {
    this.#underWay--;
  }
}
