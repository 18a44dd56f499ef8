/**
 * Floating-point numbers as the shortest text that reads back as the same value, in the notation of JSON.stringify
 * (but for -0, which keeps its sign).
 */
import type { ByteBuffer } from '../../lib/core/byte-buffer.ts';
import { writeDigits, writePadded, writeSafe } from './integer.ts';

const MINUS = 45;
const POINT = 46;
const POWERS_OF_TEN = Float64Array.of(1, 10, 100, 1e3, 1e4, 1e5, 1e6);
/** -1.2345678901234567e+300 and the like. */
const MAX_FLOAT_CHARACTERS = 32;

/**
 * Most numbers in files have a few digits behind the point. Such a number is n / 10^k with n below 10^15, and the first
 * k for which that division gives the very same double is also the shortest spelling: decimals of up to 15 digits never
 * share a double. If six places do not do, fewer do not either, so the others go to String after one try. Measured: 30 ns
 * for a price, where String and its copy take 280; nothing to speak of is lost on a number of 17 digits (470).
 * @param value finite
 */
export function pushFloat64(out: ByteBuffer, value: number): void {
  const magnitude = Math.abs(value);
  if (magnitude < 1e9) {
    const whole = Math.floor(magnitude);
    if (whole === magnitude) {
      pushSign(out, value);
      out.length = writeDigits(out.data, out.length, whole);
      return;
    }
    if (magnitude >= 1e-6 && Math.round(magnitude * 1e6) / 1e6 === magnitude) {
      for (let places = 1; places <= 6; places++) {
        const power = POWERS_OF_TEN[places]!;
        const scaled = Math.round(magnitude * power);
        if (scaled / power === magnitude) {
          pushFixed(out, value, scaled, places);
          return;
        }
      }
    }
  } else if (magnitude <= Number.MAX_SAFE_INTEGER && Math.floor(magnitude) === magnitude) {
    pushSign(out, value);
    out.length = writeSafe(out.data, out.length, magnitude);
    return;
  }
  out.pushText(String(value));
}

/** The shortest decimal that rounds to the same 32-bit float: 0.1, not 0.10000000149011612. @param value finite */
export function pushFloat32(out: ByteBuffer, value: number): void {
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-3 && magnitude < 1e6) {
    for (let places = 0; places <= 6; places++) {
      const power = POWERS_OF_TEN[places]!;
      const scaled = Math.round(magnitude * power);
      if (Math.fround(scaled / power) === magnitude) {
        if (places > 0) pushFixed(out, value, scaled, places);
        else {
          pushSign(out, value);
          out.length = writeDigits(out.data, out.length, scaled);
        }
        return;
      }
    }
  }
  if (value === 0) {
    pushFloat64(out, value);
    return;
  }
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) {
      out.pushText(String(candidate));
      return;
    }
  }
  // Nine digits tell any two 32-bit floats apart.
  out.pushText(String(Number(value.toPrecision(9))));
}

function pushSign(out: ByteBuffer, value: number): void {
  out.reserve(MAX_FLOAT_CHARACTERS);
  if (value < 0 || Object.is(value, -0)) out.bytes[out.length++] = MINUS;
}

function pushFixed(out: ByteBuffer, value: number, scaled: number, places: number): void {
  pushSign(out, value);
  const power = POWERS_OF_TEN[places]!;
  const whole = Math.floor(scaled / power);
  const { data } = out;
  const at = writeDigits(data, out.length, whole);
  data.setUint8(at, POINT);
  out.length = writePadded(data, at + 1, scaled - whole * power, places);
}
