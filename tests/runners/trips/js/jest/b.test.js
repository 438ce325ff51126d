require("../few.cjs")(test, describe);
