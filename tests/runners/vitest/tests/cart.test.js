// A suite whose truth is known: see ../../README.md for what each test does in which run.
import { describe, expect, test } from "vitest";

const run = Number(process.env.SUITE_RUN ?? "1");
const failsInAllAttempts = [3, 6, 8];
const passesOnRetry = [2, 5, 9];
let attempts = 0;

// Stands for a slow worker: too late in some runs, late only at first in others.
function settle() {
  attempts += 1;
  const late = failsInAllAttempts.includes(run) || (passesOnRetry.includes(run) && attempts === 1);
  return late ? "pending" : "settled";
}

describe("cart", () => {
  test("total of nothing is 0", () => {
    expect([].reduce((sum, price) => sum + price, 0)).toBe(0);
  });

  describe("settlement (async)", () => {
    test("settles \"two items\" [gift]", () => {
      expect(settle(), `order ${run} after 200 ms`).toBe("settled");
    });
    test("settles \"two items\" [gift] twice", () => {
      expect("settled").toBe("settled");
    });
  });
});

test("rounding is broken", () => {
  expect(Number((2.675).toFixed(2))).toBe(2.68);
});

test.skip("refund needs the payment sandbox", () => {
  throw new Error("never run");
});
