package shop;

import java.util.Arrays;
import java.util.Collection;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;

@RunWith(Parameterized.class)
public class NumberedTest {
    @Parameterized.Parameters
    public static Collection<Object[]> rows() {
        return Arrays.asList(new Object[][] {{1}, {2}, {3}});
    }

    public NumberedTest(int number) {}

    @Test public void row() {}
    @Test public void rowToo() {}
}
