package shop;

import org.junit.Test;

public class CartTest {
    @Test public void adds() {}
    @Test public void addsTwo() {}
    @Test public void with$dollar_1() {}

    public static class Inner {
        @Test public void adds() {}
        @Test public void inner() {}
    }
}
