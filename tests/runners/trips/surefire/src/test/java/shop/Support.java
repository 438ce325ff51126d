package shop;

import org.junit.jupiter.api.Test;

/** Surefire's default names do not take this class, and nor must a list. */
class Support {
    @Test void mustNotRun() {}
}
