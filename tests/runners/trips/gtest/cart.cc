#include <gtest/gtest.h>

#include <string>

TEST(Cart, Adds) {}
TEST(Cart, AddsTwo) {}
TEST(CartTwo, Adds) {}
TEST(Cart, DISABLED_Old) {}
TEST(Cärt, Prüft) {}
TEST(a, b) {}

class Rows : public testing::TestWithParam<int> {};
TEST_P(Rows, Work) {}
TEST_P(Rows, WorkToo) {}
INSTANTIATE_TEST_SUITE_P(Few, Rows, testing::Values(1, 2));
INSTANTIATE_TEST_SUITE_P(Many, Rows, testing::Range(0, 12));
INSTANTIATE_TEST_SUITE_P(Named, Rows, testing::Values(1, 11),
                         [](const testing::TestParamInfo<int>& info) { return "n_" + std::to_string(info.param); });

template <class T>
class Typed : public testing::Test {};
using Types = testing::Types<int, char, std::string>;
TYPED_TEST_SUITE(Typed, Types);
TYPED_TEST(Typed, Holds) {}
