"""What all pages of the owner's share: the frame of a page, its words, and forms that nobody else can send."""
