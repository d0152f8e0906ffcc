// Entry point of /embed.js. Loading it twice is harmless.
import { OtpVerification } from './element.ts';

if (!customElements.get('otp-verification')) {
  customElements.define('otp-verification', OtpVerification);
}

declare global {
  interface HTMLElementTagNameMap {
    'otp-verification': OtpVerification;
  }
}
