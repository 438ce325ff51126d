package shop;

import java.util.Arrays;
import java.util.Collection;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;

@RunWith(Parameterized.class)
public class RowsTest {
    @Parameterized.Parameters(name = "{0}")
    public static Collection<Object[]> rows() {
        return Arrays.asList(new Object[][] {{"a b"}, {"c*"}, {"cd"}, {"(e)"}, {"f,g"}, {"h+i"}, {"j#k"}, {"l.m"}, {"n/o"}, {"{p}"}, {"q'r"}, {"s\\t"}, {"ü"}});
    }

    public RowsTest(String text) {}

    @Test public void row() {}
    @Test public void rowToo() {}
}
