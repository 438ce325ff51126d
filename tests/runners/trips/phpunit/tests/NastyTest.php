<?php

namespace Shop\Cart;

use PHPUnit\Framework\TestCase;

class NastyTest extends TestCase
{
    public static function names(): array
    {
        $names = json_decode(file_get_contents(__DIR__ . '/../names.json'));
        return array_combine($names, array_map(fn ($name) => [$name], $names));
    }

    public static function numbers(): array
    {
        return array_map(fn ($number) => [$number], range(0, 11));
    }

    /** @dataProvider names */
    public function testNamed($name): void
    {
        $this->assertNotNull($name);
    }

    /** @dataProvider numbers */
    public function testNumbered($number): void
    {
        $this->assertIsInt($number);
    }

    public function testTotal(): void
    {
        $this->assertTrue(true);
    }

    public function testTotals(): void
    {
        $this->assertTrue(true);
    }

    public function testGröße(): void
    {
        $this->assertTrue(true);
    }
}
