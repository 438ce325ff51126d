package mail

import "testing"

func TestTotal(t *testing.T) {}
func TestSend(t *testing.T)  {}
