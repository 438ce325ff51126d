// A second file, which shares two names with the first.
module.exports = (test, describe) => {
  test("plain", () => {});
  test("of the second file", () => {});
  describe("outer", () => {
    test("inner x", () => {});
    test("alone", () => {});
  });
};
