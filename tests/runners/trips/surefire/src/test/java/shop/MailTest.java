package shop;

import org.junit.jupiter.api.Test;

class MailTest {
    @Test void adds() {}
    @Test void sends() {}
}
