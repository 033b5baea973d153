// Package real starts the real components that the integration tests run against: an Apache Kafka broker, a Python that
// reads Iceberg tables with pyiceberg, a Chromium. The script install, beside this file, puts them into a cache folder
// (.real in the repository's root, or $SPILLWAY_REAL); this package only starts what lies there, so a test never waits
// for a download. It is for tests only.
//
// A test that needs a component to itself starts it with its own *testing.T. A package that shares one starts it in
// TestMain:
//
//	var kafka *real.Kafka
//
//	func TestMain(m *testing.M) {
//		os.Exit(real.Main(func(tb real.TB) int {
//			kafka = real.StartKafka(tb)
//			return m.Run()
//		}))
//	}
//
// What holds for every server that this package starts:
//
//  1. Its ports come from the kernel and its data lies in a temporary folder, so test packages run side by side.
//  2. It is ready when the process that we started listens and answers a request that only a working server answers. A
//     probe that merely connects would accept somebody else's server on the port that ours failed to get.
//  3. It listens on the loopback only.
//  4. It never outlives the test process. On Linux this holds also when that is killed or runs into its time limit.
//  5. Its log is kept in the cache folder until the next run of the same tests, and its end is printed when the server
//     fails to start.
package real
