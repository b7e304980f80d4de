package blockstore

import (
	"os"

	"edged"

	"pgregory.net/rapid"
)

// quickDir makes a directory in memory, where there is such: what a sync does is worked out here, and a real one only takes time.
func quickDir() (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "edged-model-"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "edged-model-")
}

func openRapid(t *rapid.T, dir string, change func(*Config)) *Store {
	c := Default()
	c.MaxBytes = 32 << 20
	change(c)
	s, err := Open(dir, c, quiet, newSet())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func allRapid(t *rapid.T, s *Store) []edged.Entry {
	var out []edged.Entry
	for seq := uint64(0); ; {
		e, ok, err := s.Next(seq)
		if err != nil || e.Err != nil {
			t.Fatal(err, e.Err)
		}
		if !ok {
			return out
		}
		out = append(out, e)
		seq = e.Seq + 1
	}
}

func snapshotRapid(t *rapid.T, s *Store) string {
	dir, err := quickDir()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.path)
	if err == nil {
		err = os.WriteFile(dir+"/"+FileName, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
