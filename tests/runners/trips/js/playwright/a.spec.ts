import { test } from "@playwright/test";
import cases from "../cases.cjs";

cases(test, test.describe);
test.describe("tagged", { tag: "@group" }, () => {
  test("one", { tag: ["@slow", "@net"] }, () => {});
  test("one @more", () => {});
  test("two", () => {});
});
test.describe(() => {
  test("in an anonymous block", () => {});
});
