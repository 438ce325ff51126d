module.exports = {
  testMatch: ["<rootDir>/jest/*.test.js"],
  reporters: [["jest-junit", { outputFile: process.env.TRIP_REPORT }]],
};
