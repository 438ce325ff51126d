require("../cases.cjs")(test, describe);
