export default {
  test: { include: ["tests/**/*.test.js"], retry: 2 },
};
