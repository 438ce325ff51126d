require("../few.cjs")(it, describe);
