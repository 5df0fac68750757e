"""알림톡 by a dealer: accepted first, and looked up until the dealer's word is final."""
