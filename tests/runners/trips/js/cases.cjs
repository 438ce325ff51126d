// The same cases for every runner: `test` and `describe` are the runner's own.
const names = require("./names.json");

module.exports = (test, describe) => {
  for (const name of names) test(name, () => {});
  describe("outer", () => {
    test("plain", () => {});
    test("inner x", () => {});
    describe("inner", () => {
      test("x", () => {});
      test("y > z", () => {});
      test("y › z 2", () => {});
    });
  });
  describe("out (er) > [x]", () => {
    for (const number of [1, 2, 12]) test(`each ${number}`, () => {});
  });
  describe("dot.ted", () => {
    describe("block", () => {
      test("in it", () => {});
    });
  });
  describe("", () => {
    test("in a block without a title", () => {});
  });
};
