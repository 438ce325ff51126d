import { describe, test } from "vitest";
import cases from "../cases.cjs";

cases(test, describe);
