export default { test: { include: ["vitest/*.test.mjs"], reporters: ["junit"], outputFile: process.env.TRIP_REPORT } };
