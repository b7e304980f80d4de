// Package netns makes a network namespace for a test's servers, with a link to it that can be cut as a cable is: packets
// vanish in both directions, and nobody is told. It needs Linux, root, and the programs ip and nft.
package netns
