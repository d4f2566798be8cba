"""Reading contactless tags through nfcpy: addresses, the NDEF codec, the seam to the library and the rule of what one tap is."""
