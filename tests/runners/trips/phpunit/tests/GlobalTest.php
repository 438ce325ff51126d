<?php

use PHPUnit\Framework\TestCase;

class GlobalTest extends TestCase
{
    public function testTotal(): void
    {
        $this->assertTrue(true);
    }

    public function testtotal_2(): void
    {
        $this->assertTrue(true);
    }
}
