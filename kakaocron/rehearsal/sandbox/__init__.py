"""A local stand-in for Kakao's servers: strict, nasty on demand, and the judge of every test."""
