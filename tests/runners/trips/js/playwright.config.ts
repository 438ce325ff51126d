export default {
  testDir: "playwright",
  reporter: [["junit", { outputFile: process.env.TRIP_REPORT }]],
  workers: 1,
};
