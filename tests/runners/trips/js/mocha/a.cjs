require("../cases.cjs")(it, describe);
