package shop;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CartTest {
    @Test void adds() {}
    @Test void addsTwo() {}
    @Test void prüft() {}
    @Test void with$dollar_1() {}
    @ParameterizedTest @ValueSource(ints = {1, 2}) void row(int number) {}
    @ParameterizedTest @ValueSource(strings = {"a b", "c,d#e", "(f)"}) void rows(String text) {}
    @RepeatedTest(2) void repeated() {}
    @Test @DisplayName("a display, name (x)") void displayed() {}

    @Nested class Inner {
        @Test void adds() {}
        @Test void inner() {}
    }
}
