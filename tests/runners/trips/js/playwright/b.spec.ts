import { test } from "@playwright/test";
import few from "../few.cjs";

few(test, test.describe);
