package reload

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// stamp is a digest of what files hold. A file that cannot be read has one, too.
type stamp [sha256.Size]byte

// stampOf reads the files. Times and sizes would not do: a token that is replaced has the size of the old one, and clocks of
// file systems are coarse.
func stampOf(files []string) (s stamp) {
	h := sha256.New()
	for _, path := range files {
		n, err := copyFile(h, path)
		fmt.Fprintf(h, "\x00%d %t\x00", n, err == nil)
	}
	h.Sum(s[:0])
	return s
}

func copyFile(to io.Writer, path string) (n int64, err error) {
	if fi, err := os.Stat(path); err != nil || !fi.Mode().IsRegular() { // a pipe would wait for somebody to write
		return 0, fs.ErrInvalid
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return io.Copy(to, f)
}

// maxLinks is how many links are followed from one file; there may be a loop.
const maxLinks = 16

// lookups returns the directories in which a change can make a path name another file: the file's own, and that of every link
// on the way, as certificate clients and deployments use them. Of a directory that does not exist it is the nearest above.
// names are the path itself and the files that it links to. A directory above that is renamed goes unnoticed.
func lookups(path string) (dirs, names []string) {
	queue := []string{filepath.Clean(path)}
	for n := 0; len(queue) > 0 && n < maxLinks; n++ {
		path, queue = queue[0], queue[1:]
		names = append(names, path)
		dirs = append(dirs, existing(filepath.Dir(path)))
		for up := path; up != filepath.Dir(up); up = filepath.Dir(up) {
			target, err := os.Readlink(up)
			if err != nil {
				continue
			}
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(up), target)
			}
			dirs = append(dirs, filepath.Dir(up))
			queue = append(queue, filepath.Clean(target+path[len(up):]))
		}
	}
	return dirs, names
}

func existing(dir string) string {
	for dir != filepath.Dir(dir) {
		if fi, err := os.Stat(dir); err == nil && fi.IsDir() {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}
