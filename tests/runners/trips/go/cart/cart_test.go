package cart

import (
	"encoding/json"
	"os"
	"testing"
)

func TestTotal(t *testing.T)       {}
func TestTotals(t *testing.T)      {}
func TestÜberweisung(t *testing.T) {}

func TestNamed(t *testing.T) {
	text, err := os.ReadFile("../names.json")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	if err := json.Unmarshal(text, &names); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {})
	}
	t.Run("same", func(t *testing.T) {})
	t.Run("same", func(t *testing.T) {})
	t.Run("deep", func(t *testing.T) {
		t.Run("a/b c", func(t *testing.T) {})
		t.Run("z", func(t *testing.T) {})
	})
}

func Example_total() {
	// Output:
}
