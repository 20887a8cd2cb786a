"""Stand-ins for the two services igfeed talks to, so that tests use real sockets and never the internet.

`instagram.FakeInstagram` answers as graph.instagram.com and its picture hosts do, `upstash.FakeUpstash` as an Upstash
database does (with a real Valkey behind it). Both can be told to fail in every way a network and a service can.
"""
